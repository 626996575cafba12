// Bodies and queries against their DTO: unknown fields are refused, every problem is told at its JSON pointer.
import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { invalid, type FieldError } from '../../kernel/errors.js';

/** The longest list of problems sent back. */
const MAX_TOLD = 50;

export const validationPipe = () =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (list) => invalid(pointersOf(list).slice(0, MAX_TOLD)),
  });

const escape = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');

function pointersOf(list: ValidationError[], above = ''): FieldError[] {
  return list.flatMap((e) => {
    const pointer = `${above}/${escape(e.property)}`;
    const own = Object.values(e.constraints ?? {}).map((detail) => ({ pointer, detail }));
    return [...own, ...pointersOf(e.children ?? [], pointer)];
  });
}
