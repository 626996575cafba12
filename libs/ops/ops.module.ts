// Ops as Nest sees it: what operators and programs ask about work under way.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { JobController } from './job.controller.js';

@Module({ imports: [AuthModule], controllers: [JobController] })
export class OpsApi {}
