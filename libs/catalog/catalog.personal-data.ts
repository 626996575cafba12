// Which of catalog's columns are organizers' free text: domain events carry their SHA-256 only.
import { personalData } from '../kernel/personal-data.js';

personalData('catalog.venue', { name: 'text', address: 'text' });
personalData('catalog.seat_map', { map: 'text' });
personalData('catalog.event', { title: 'text', description: 'text' });
personalData('catalog.pool', { name: 'text' });
personalData('catalog.ticket_type', { name: 'text', access_code: 'text' });
personalData('catalog.checkout_field', { label: 'text', choices: 'text' });
