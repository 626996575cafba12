// Notifications as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class NotificationsModule {}

@Module({ imports: [NotificationsModule], controllers: [] })
export class NotificationsApi {}

@Module({ imports: [NotificationsModule], providers: [] })
export class NotificationsWorker {}
