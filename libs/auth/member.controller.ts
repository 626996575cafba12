// Routes of who belongs to an organization: members, invitations, and the API keys of its programs.
import { Body, Controller, Delete, Get, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../kernel/pages.js';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, Idempotent, IdParam, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import { ApiKeyService } from './api-key.service.js';
import { InvitationService } from './invitation.service.js';
import { MemberService } from './member.service.js';
import {
  ApiKeyView,
  ChangeMemberDto,
  CreateApiKeyDto,
  InvitationView,
  InviteDto,
  MemberView,
  NewApiKeyView,
} from './organization.dto.js';

@ApiTags('organizations')
@Controller('v1')
export class MemberController {
  constructor(
    private readonly members: MemberService,
    private readonly invitations: InvitationService,
    private readonly keys: ApiKeyService,
  ) {}

  @Get('organizations/:o/members')
  @Can('read', 'Member')
  @Answers(200, MemberView, 'list')
  list(@IdParam('o') orgId: string, @Query() query: PageQuery): Promise<Page<MemberView>> {
    return this.members.list(orgId, query);
  }

  @Get('organizations/:o/members/:a')
  @Can('read', 'Member')
  @Answers(200, MemberView)
  read(@IdParam('o') orgId: string, @IdParam('a') accountId: string): Promise<MemberView> {
    return this.members.get(orgId, accountId);
  }

  @Patch('organizations/:o/members/:a')
  @Can('update', 'Member')
  @Idempotent()
  @Answers(200, MemberView)
  @Refuses('bad_transition', 'stale_version', 'if_match_required')
  changeRole(
    @IdParam('o') orgId: string,
    @IdParam('a') accountId: string,
    @IfMatch() version: number,
    @Body() body: ChangeMemberDto,
  ): Promise<MemberView> {
    return this.members.changeRole(orgId, accountId, body.role, version);
  }

  /** Takes a member out; members may leave by themselves. The last owner stays. */
  @Delete('organizations/:o/members/:a')
  @Can('delete', 'Member')
  @Idempotent()
  @Answers(204)
  @Refuses('bad_transition')
  remove(@IdParam('o') orgId: string, @IdParam('a') accountId: string): Promise<void> {
    return this.members.remove(orgId, accountId);
  }

  @Get('organizations/:o/invitations')
  @Can('read', 'Invitation')
  @Answers(200, InvitationView, 'list')
  listInvitations(@IdParam('o') orgId: string, @Query() query: PageQuery): Promise<Page<InvitationView>> {
    return this.invitations.list(orgId, query);
  }

  @Post('organizations/:o/invitations')
  @Can('create', 'Invitation')
  @Idempotent()
  @Answers(201, InvitationView)
  invite(@IdParam('o') orgId: string, @Body() body: InviteDto): Promise<InvitationView> {
    return this.invitations.create(orgId, body);
  }

  @Delete('organizations/:o/invitations/:i')
  @Can('delete', 'Invitation')
  @Idempotent()
  @Answers(204)
  @Refuses('bad_transition')
  revokeInvitation(@IdParam('o') orgId: string, @IdParam('i') id: string): Promise<void> {
    return this.invitations.revoke(orgId, id);
  }

  @Get('organizations/:o/api-keys')
  @Can('read', 'ApiKey')
  @Answers(200, ApiKeyView, 'list')
  listKeys(@IdParam('o') orgId: string, @Query() query: PageQuery): Promise<Page<ApiKeyView>> {
    return this.keys.list(orgId, query);
  }

  @Post('organizations/:o/api-keys')
  @Can('create', 'ApiKey')
  @Idempotent()
  @Answers(201, NewApiKeyView)
  createKey(@IdParam('o') orgId: string, @Body() body: CreateApiKeyDto): Promise<NewApiKeyView> {
    return this.keys.create(orgId, body);
  }

  @Delete('organizations/:o/api-keys/:k')
  @Can('delete', 'ApiKey')
  @Idempotent()
  @Answers(204)
  revokeKey(@IdParam('o') orgId: string, @IdParam('k') id: string): Promise<void> {
    return this.keys.revoke(orgId, id);
  }
}
