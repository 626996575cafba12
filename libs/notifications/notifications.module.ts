// Notifications as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { BookingModule } from '../booking/booking.module.js';
import { DeliveryService } from './delivery.service.js';
import { LetterService } from './letter.service.js';
import { LinkController } from './link.controller.js';
import { MailModule } from './mail.module.js';
import { MessageController } from './message.controller.js';
import { MessageRepository } from './message.repository.js';
import { MessageService } from './message.service.js';
import './notification.personal-data.js';
import './notification.policy.js';
import { NotificationProcessor } from './notification.processor.js';

const services = [MessageRepository, MessageService, LetterService, DeliveryService];

@Module({ imports: [AuthModule, BookingModule, MailModule], providers: services, exports: services })
export class NotificationsModule {}

@Module({ imports: [NotificationsModule], controllers: [LinkController, MessageController] })
export class NotificationsApi {}

@Module({ imports: [NotificationsModule], providers: [NotificationProcessor] })
export class NotificationsWorker {}
