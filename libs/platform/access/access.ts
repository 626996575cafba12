// Access: what the caller may do, decided by CASL with the loaded object; each context writes its rules in one policy file.
import { AbilityBuilder, createMongoAbility, subject, type MongoAbility } from '@casl/ability';
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../../kernel/errors.js';
import type { Principal } from '../../kernel/principal.js';
import { whoAsks } from '../db/ambient.js';

type Grant = AbilityBuilder<MongoAbility>['can'];
type Policy = (who: Principal, can: Grant) => void;

const policies: Policy[] = [];

/** Declares a context's policy: `definePolicy((who, can) => can('read', 'Booking', { orgId: { $in: orgsOf(who, ...) } }))`. */
export function definePolicy(policy: Policy): Policy {
  policies.push(policy);
  return policy;
}

@Injectable()
export class Access {
  private readonly abilities = new WeakMap<Principal, MongoAbility>();

  /** Who is asking, as the guard or the worker said. */
  get who(): Principal {
    return whoAsks();
  }

  /** True when the caller may do this with the loaded object. */
  may(action: string, type: string, object: object): boolean {
    return this.abilityOf(this.who).can(action, subject(type, { ...object }));
  }

  /**
   * Refuses unless the caller may: 401 for one without a token, 403 for one who may see the thing, 404 for everyone else.
   * `seenAs` names what seeing it means when that is not reading the thing itself.
   */
  demand(action: string, type: string, object: object, seenAs: { type: string; object: object } = { type, object }): void {
    if (this.may(action, type, object)) return;
    if (this.who.kind === 'anonymous') throw edgeErrors.unauthenticated();
    throw this.may('read', seenAs.type, seenAs.object) ? edgeErrors.forbidden() : edgeErrors.notFound();
  }

  private abilityOf(who: Principal): MongoAbility {
    let ability = this.abilities.get(who);
    if (!ability) {
      const builder = new AbilityBuilder<MongoAbility>(createMongoAbility);
      if (who.kind === 'system') builder.can('manage', 'all');
      else for (const policy of policies) policy(who, sparing(builder.can));
      ability = builder.build();
      this.abilities.set(who, ability);
    }
    return ability;
  }
}

/**
 * Leaves out rules that can never hold, of a role in no organization. `may` always asks about an object, so they say nothing; and a guest, who
 * comes for one request or two, has an ability of two rules in place of thirty.
 */
const sparing = (can: Grant): Grant => ((...rule: Parameters<Grant>) => (isNever(rule[2]) ? undefined : can(...rule))) as Grant;

const isNever = (conditions: unknown): boolean =>
  typeof conditions === 'object' &&
  conditions !== null &&
  Object.values(conditions).some((one) => (one as { $in?: unknown[] } | null)?.$in?.length === 0);
