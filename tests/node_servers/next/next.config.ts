// SPDX-License-Identifier: Apache-2.0
import type { NextConfig } from 'next';

const config: NextConfig = { poweredByHeader: false };

export default config;
