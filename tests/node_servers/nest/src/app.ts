// SPDX-License-Identifier: Apache-2.0
// Nest, built by `nest build`: controllers with decorators, on Express.
import { Controller, Get, Module, Param } from '@nestjs/common';
import { ways } from './slow.js';

interface Answer {
  answer: string | number;
}

@Controller()
class Shop {
  @Get('clean')
  clean(): Answer {
    return { answer: 'a short answer' };
  }

  @Get('slow/:way')
  answerSlowly(@Param('way') way: string): Answer {
    return { answer: ways[way]() }; // handler
  }
}

@Module({ controllers: [Shop] })
export class App {}
