// SPDX-License-Identifier: Apache-2.0
// Express, built by tsc: a folder dist/ with a map beside each script.
import express, { type Request, type Response } from 'express';
import { ways } from './slow';

const app = express();

app.get('/clean', (_request: Request, response: Response): void => {
  response.json({ answer: 'a short answer' });
});

app.get('/slow/:way', function answerSlowly(request: Request<{ way: string }>, response: Response): void {
  response.json({ answer: ways[request.params.way]() }); // handler
});

app.listen(Number(process.env.PORT), '127.0.0.1');
