// SPDX-License-Identifier: Apache-2.0
// Fastify, made into one script by esbuild, with all of its packages.
import fastify, { type FastifyRequest } from 'fastify';
import { ways } from './slow';

const app = fastify();

app.get('/clean', async (): Promise<object> => ({ answer: 'a short answer' }));

app.get('/slow/:way', async function answerSlowly(request: FastifyRequest): Promise<object> {
  const { way } = request.params as { way: string };
  return { answer: ways[way]() }; // handler
});

void app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
