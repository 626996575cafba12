// Verify as Nest sees it: for the operator's script and for tests; neither the api nor the worker carries it.
import { Module } from '@nestjs/common';
import { Rebuild } from './rebuild.service.js';
import { VerifyRepository } from './verify.repository.js';
import { Verify } from './verify.service.js';

@Module({ providers: [Verify, VerifyRepository, Rebuild], exports: [Verify, VerifyRepository, Rebuild] })
export class VerifyModule {}
