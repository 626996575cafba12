// SPIs: what a context asks of those above it. Declared below, answered above, collected here at boot; a missing answer stops the start.
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

type Token<T> = abstract new (...args: never[]) => T;

const ANSWERS = Symbol('evently:answers-spi');
const declared = new Map<Token<object>, 'one' | 'many'>();

/** Declares an abstract class as an SPI that exactly one, or any number of contexts above answer. */
export const Spi =
  (answers: 'one' | 'many' = 'one') =>
  (token: Token<object>): void =>
    void declared.set(token, answers);

/** Marks the provider that answers an SPI. */
export const AnswersSpi =
  <T extends object>(token: Token<T>) =>
  (target: new (...args: never[]) => T): void =>
    void Object.defineProperty(target, ANSWERS, { value: token });

@Injectable()
export class SpiRegistry implements OnModuleInit {
  private readonly answers = new Map<Token<object>, object[]>();
  private readonly asked = new Set<Token<object>>();

  constructor(private readonly discovery: DiscoveryService) {}

  /** Collects every answer; throws with the names of SPIs that lack one or have too many. */
  onModuleInit(): void {
    const seen = new Set<unknown>();
    for (const { instance } of this.discovery.getProviders()) {
      const token = (instance as { constructor?: Record<symbol, Token<object>> } | undefined)?.constructor?.[ANSWERS];
      if (!token || seen.has(instance)) continue;
      seen.add(instance);
      this.answers.set(token, [...(this.answers.get(token) ?? []), instance as object]);
    }
    const wrong = [...this.asked].filter((token) => declared.get(token) === 'one' && this.answers.get(token)?.length !== 1);
    if (wrong.length > 0) {
      const told = wrong.map((token) => `${token.name} (${this.answers.get(token)?.length ?? 0} answers)`);
      throw new Error(`Each of these SPIs needs exactly one answer from a context above: ${told.join(', ')}.`);
    }
  }

  /** Says in a constructor what will be asked, so that a house without the answer does not start. */
  asks(token: Token<object>): void {
    this.asked.add(token);
  }

  one<T extends object>(token: Token<T>): T {
    const [answer] = this.answers.get(token) ?? [];
    if (!answer) throw new Error(`Nobody answers ${token.name}.`);
    return answer as T;
  }

  all<T extends object>(token: Token<T>): T[] {
    return (this.answers.get(token) ?? []) as T[];
  }
}
