// Which of pricing's columns are organizers' free text: domain events carry their SHA-256 only.
import { personalData } from '../kernel/personal-data.js';

personalData('pricing.promo_code', { code: 'text', code_key: 'text' });
