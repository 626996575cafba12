// Bodies and queries against their DTO: unknown fields are refused, every problem is told at its JSON pointer.
import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { invalid, type FieldError } from '../../kernel/errors.js';
import { type Class, compiledOf } from './validation.compiled.js';

/** The longest list of problems sent back. */
const MAX_TOLD = 50;

/** What is right passes at once; everything else goes the long way, which can say what is wrong. */
class TwoStepPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const right = this.right(value, metadata);
    return right ? Promise.resolve(right) : super.transform(value, metadata);
  }

  /** The instance at once where the value is right, else undefined: `transform` tells why. */
  right(value: unknown, metadata: ArgumentMetadata): object | undefined {
    const { metatype } = metadata;
    return metatype && this.toValidate(metadata) ? compiledOf(metatype as Class)?.(value) : undefined;
  }
}

export const validationPipe = () =>
  new TwoStepPipe({
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
