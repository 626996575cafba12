// Compiled validation: a DTO's decorators read once into a list of checks, run over each body. It only says "right"; what is wrong, the pipe tells in words.
//
// class-validator looks its metadata up and builds its report anew for each request: a fifth of a booking's processor time. Here the same
// test functions of the same decorators run, and the instance is made as class-transformer would make it. A class that uses
// anything this does not know is left to the pipe, and so is every body that is not right.
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import {
  getMetadataStorage,
  ValidationTypes,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

export type Class = new () => object;
type Plain = Record<string, unknown>;
/** An instance of the class where the body is right, else undefined. */
export type Compiled = (body: unknown) => object | undefined;
type Validation = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** True for a value that is right in this instance. */
type Check = (value: unknown, made: object) => boolean;

interface Property {
  name: string;
  /** ValidateIf: all must say yes, or the value is not looked at. */
  conditions: ((object: object, value: unknown) => boolean)[];
  checks: Check[];
  transforms: ((params: never) => unknown)[];
  /** The class of nested objects, compiled when first needed: classes may contain each other. */
  nested?: () => Compiled | null;
}

const compiled = new Map<Class, Compiled | null>();

/** The compiled validation of a class; null where it uses something that only class-validator knows. */
export function compiledOf(type: Class): Compiled | null {
  let found = compiled.get(type);
  if (found === undefined) compiled.set(type, (found = compile(type)));
  return found;
}

function compile(type: Class): Compiled | null {
  const all = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const names = [...new Set(all.map((v) => v.propertyName))];
  if (names.length === 0 || all.some((v) => !isKnown(v)) || transformations.getStrategy(type) !== 'none') return null;
  const properties = new Map<string, Property>();
  for (const name of names) {
    const property = read(type, name, all.filter((v) => v.propertyName === name)); // prettier-ignore
    if (!property) return null;
    properties.set(name, property);
  }
  const list = [...properties.values()];
  return (body) => {
    if (!isPlain(body)) return undefined;
    const made = new type() as Plain;
    for (const key in body) {
      const property = properties.get(key);
      if (!property || !fill(property, made, body)) return undefined;
    }
    for (const property of list) if (!holds(property, made)) return undefined;
    return made;
  };
}

const KNOWN: readonly string[] = [
  ValidationTypes.CUSTOM_VALIDATION,
  ValidationTypes.CONDITIONAL_VALIDATION,
  ValidationTypes.NESTED_VALIDATION,
];
const isKnown = (v: Validation) => KNOWN.includes(v.type) && !v.validateIf && (v.groups ?? []).length === 0;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function read(type: Class, name: string, validations: Validation[]): Property | null {
  const ofType = (t: string) => validations.filter((v) => v.type === t);
  const transforms = transformations.findTransformMetadatas(type, name, 0);
  const typed = transformations.findTypeMetadata(type, name);
  const nests = ofType(ValidationTypes.NESTED_VALIDATION).length > 0;
  if (transforms.some((t) => Object.keys(t.options ?? {}).length > 0)) return null;
  if (nests !== (typed !== undefined) || typed?.options?.discriminator) return null;
  return {
    name,
    conditions: ofType(ValidationTypes.CONDITIONAL_VALIDATION).map((v) => v.constraints[0] as Property['conditions'][number]),
    checks: ofType(ValidationTypes.CUSTOM_VALIDATION).flatMap((v) => checksOf(type, v)),
    transforms: transforms.map((t) => t.transformFn as (params: never) => unknown),
    nested: typed && (() => compiledOf(typed.typeFunction() as Class)),
  };
}

function checksOf(type: Class, v: Validation): Check[] {
  const tests = getMetadataStorage().getTargetValidatorConstraints(v.constraintCls);
  return tests.map(({ instance }) => checkOf(instance, v.each, { targetName: type.name, property: v.propertyName, constraints: v.constraints, object: {}, value: undefined })); // prettier-ignore
}

function checkOf(test: ValidatorConstraintInterface, each: boolean, args: ValidationArguments): Check {
  const right = (value: unknown) => test.validate(value, args) === true; // A promise is not: left to the pipe.
  return (value, made) => {
    args.object = made;
    args.value = value;
    return each && Array.isArray(value) ? value.every(right) : right(value);
  };
}

/** Puts a property into the instance as class-transformer would; false when it holds something that is not right or not known. */
function fill({ name, nested, transforms }: Property, made: Plain, body: Plain): boolean {
  let value = body[name];
  if (nested && typeof value === 'object' && value !== null) {
    const one = nested();
    if (!one) return false;
    value = Array.isArray(value) ? value.map(one) : one(value);
    if (value === undefined || (Array.isArray(value) && value.includes(undefined))) return false;
  }
  for (const transform of transforms) value = transform({ value, key: name, obj: body, type: 0, options: {} } as never);
  made[name] = value;
  return true;
}

function holds({ name, conditions, checks }: Property, made: Plain): boolean {
  const value = made[name];
  for (const condition of conditions) if (!condition(made, value)) return true;
  for (const check of checks) if (!check(value, made)) return false;
  return true;
}
