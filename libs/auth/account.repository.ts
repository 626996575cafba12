// All SQL about accounts: the rows, and the directory that finds one by its mail address.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { Account } from './account.entity.js';

/** How mail addresses are compared: without case. */
export const emailKey = (email: string): string => email.trim().toLowerCase();

@Injectable()
export class AccountRepository {
  constructor(private readonly db: Database) {}

  /** Writes a new account; false when its address is taken. Waits for another registration of the same address. */
  async add(account: Account): Promise<boolean> {
    const listed = await this.db.execute(
      `INSERT INTO auth.email_directory (email_key, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [emailKey(account.email), account.id],
    );
    if (listed === 0) return false;
    await this.db.insert(account);
    return true;
  }

  save(account: Account): Promise<void> {
    return this.db.saveVersioned(account);
  }

  find(id: string): Promise<Account | null> {
    return this.db.find(Account, { id });
  }

  findForUpdate(id: string): Promise<Account | null> {
    return this.db.findForUpdate(Account, { id });
  }

  async idByEmail(email: string): Promise<string | null> {
    const [row] = await this.db.prepared<{ account_id: string }>(
      'account-by-email',
      `SELECT account_id FROM auth.email_directory WHERE email_key = $1`,
      [emailKey(email)],
    );
    return row?.account_id ?? null;
  }

  /** What a login needs, in one statement whether there is such an account or not. */
  async credentials(email: string): Promise<{ accountId: string; passwordHash: string | null } | null> {
    const [row] = await this.db.prepared<{ account_id: string; password_hash: string | null }>(
      'account-credentials',
      `SELECT a.account_id, a.password_hash FROM auth.email_directory d JOIN auth.account a USING (account_id) WHERE d.email_key = $1`,
      [emailKey(email)],
    );
    return row ? { accountId: row.account_id, passwordHash: row.password_hash } : null;
  }
}
