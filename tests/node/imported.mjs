// SPDX-License-Identifier: Apache-2.0
export const top = (look, n) => look(n);

export async function slow(look, n) {
  await null;
  return look(n);
}

export default class {
  run(look, n) { return look(n); }
}
