// Auth as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class AuthModule {}

@Module({ imports: [AuthModule], controllers: [] })
export class AuthApi {}

@Module({ imports: [AuthModule], providers: [] })
export class AuthWorker {}
