// Personal data of notifications: who was written to, and what the mails said that went into the table instead of to a mail server.
import { personalData } from '../kernel/personal-data.js';

personalData('notifications.message', { recipient: 'email' });
personalData('notifications.outbox_mail', {
  recipient: 'email',
  subject: 'secret',
  body_text: 'secret',
  body_html: 'secret',
});
