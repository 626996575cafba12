// How long work stands: `GET /v1/jobs/{jobId}`, for members of the organization it is done for.
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuthPort } from '../auth/auth.port.js';
import { edgeErrors } from '../kernel/errors.js';
import { Access } from '../platform/access/access.js';
import { AnyJsonField, EnumField, IdField, NumberField } from '../platform/http/fields.js';
import { Answers, Can, IdParam } from '../platform/http/route.decorators.js';
import { JobQueue } from '../platform/queue/job.queue.js';

export class JobView {
  @IdField() id: string;
  @EnumField(['queued', 'running', 'done', 'failed']) status: string;
  @NumberField({ min: 0, max: 1 }) progress: number;
  @AnyJsonField({ optional: true }) result?: unknown;
}

@ApiTags('Operators')
@Controller('v1/jobs')
export class JobController {
  constructor(
    private readonly jobs: JobQueue,
    private readonly auth: AuthPort,
    private readonly access: Access,
  ) {}

  @Get(':id')
  @Can('read', 'Job')
  @Answers(200, JobView)
  async get(@IdParam('id') id: string): Promise<JobView> {
    const orgId = await this.auth.orgOf(id);
    this.access.demand('read', 'Organization', { orgId });
    const job = await this.jobs.find(orgId, id);
    if (!job) throw edgeErrors.notFound();
    return job;
  }
}
