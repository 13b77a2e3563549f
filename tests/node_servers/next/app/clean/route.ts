// SPDX-License-Identifier: Apache-2.0
export const dynamic = 'force-dynamic';

export function GET(): Response {
  return Response.json({ answer: 'a short answer' });
}
