// SPDX-License-Identifier: Apache-2.0
// Next.js, built by `next build`: its server is its own, a route is a script that it loads.
import { ways } from '../../slow';

export const dynamic = 'force-dynamic';

export async function GET(_request: Request, context: { params: Promise<{ way: string }> }): Promise<Response> {
  const { way } = await context.params;
  return Response.json({ answer: ways[way]() }); // handler
}
