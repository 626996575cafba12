// What auth knows about people: it stays out of domain events and logs.
import { personalData } from '../kernel/personal-data.js';

personalData('auth.account', { email: 'email', name: 'name', phone: 'phone', password_hash: 'secret' });
personalData('auth.email_directory', { email_key: 'email' });
personalData('auth.session', { user_agent: 'device', ip: 'ip' });
personalData('auth.invitation', { email: 'email' });
personalData('auth.organization', { name: 'text' });
personalData('auth.api_key', { name: 'text' });
