// What booking does later.
import { job } from '../kernel/job.js';

/** Money came: confirm the booking, seat it again, or give the money back. */
export const SettlePaid = job<{ orgId: string; bookingId: string }>()('booking.settle-paid');

/** A payment came to nothing: the hold goes on without it. */
export const SettleUnpaid = job<{ orgId: string; bookingId: string }>()('booking.settle-unpaid');

/** An event was cancelled: end its bookings. */
export const EndEventBookings = job<{ orgId: string; eventId: string }>()('booking.end-event', { leaseSeconds: 120 });
