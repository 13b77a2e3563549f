// SPDX-License-Identifier: Apache-2.0
export default function Page() {
  return <p>a short answer</p>;
}
