// Free text in payments' tables. Cards and names are not here at all: they stay with the provider.
import { personalData } from '../kernel/personal-data.js';

export const refundPersonalData = personalData('payments.refund', { reason: 'text' });
