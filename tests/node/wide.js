// SPDX-License-Identifier: Apache-2.0
// Letters of two bytes, and lines that end in two characters: 漢字.
 
module.exports = function ł漢(look, n) {
  const 漢 = n; return look(漢);
};
