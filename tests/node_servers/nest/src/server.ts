// SPDX-License-Identifier: Apache-2.0
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { App } from './app.js';

async function serve(): Promise<void> {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(Number(process.env.PORT), '127.0.0.1');
}

void serve();
