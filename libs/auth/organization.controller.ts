// Routes of organizations: founding one, reading and changing it, accepting an invitation to one.
import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../kernel/pages.js';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, Idempotent, IdParam, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import { InvitationService } from './invitation.service.js';
import {
  ChangeOrganizationDto,
  CreateOrganizationDto,
  MembershipView,
  organizationView,
  OrganizationView,
} from './organization.dto.js';
import { OrganizationService } from './organization.service.js';
import { MailedTokenDto } from './session.dto.js';

@ApiTags('organizations')
@Controller('v1')
export class OrganizationController {
  constructor(
    private readonly organizations: OrganizationService,
    private readonly invitations: InvitationService,
  ) {}

  @Post('organizations')
  @Can('create', 'Organization')
  @Idempotent()
  @Answers(201, OrganizationView)
  @Refuses('slug_taken')
  async create(@Body() body: CreateOrganizationDto): Promise<OrganizationView> {
    return organizationView(await this.organizations.create(body));
  }

  @Get('organizations/:o')
  @Can('read', 'Organization')
  @Answers(200, OrganizationView)
  async read(@IdParam('o') orgId: string): Promise<OrganizationView> {
    return organizationView(await this.organizations.get(orgId));
  }

  @Patch('organizations/:o')
  @Can('update', 'Organization')
  @Idempotent()
  @Answers(200, OrganizationView)
  @Refuses('slug_taken', 'stale_version', 'if_match_required')
  async change(
    @IdParam('o') orgId: string,
    @IfMatch() version: number,
    @Body() body: ChangeOrganizationDto,
  ): Promise<OrganizationView> {
    return organizationView(await this.organizations.change(orgId, body, version));
  }

  /** Makes the caller a member of the organization that the mailed token invites to. */
  @Post('invitations/accept')
  @Can('accept', 'Invitation')
  @Idempotent()
  @Answers(200, MembershipView)
  async accept(@Body() body: MailedTokenDto): Promise<MembershipView> {
    return this.organizations.membership(await this.invitations.accept(body.token));
  }

  @Get('me/organizations')
  @Can('read', 'Organization')
  @Answers(200, MembershipView, 'list')
  mine(@Query() query: PageQuery): Promise<Page<MembershipView>> {
    return this.organizations.mine(query);
  }
}
