// What only history and audit read of pricing's domain events.
import { auditOnlyEvents } from '../platform/queue/worker.engine.js';
import { PromoCodeAdded, PromoCodeArchived, PromoCodeChanged } from './pricing.domain-events.js';

auditOnlyEvents(PromoCodeAdded, PromoCodeChanged, PromoCodeArchived);
