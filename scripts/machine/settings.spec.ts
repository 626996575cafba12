// Settings: where what listens is called, and the address people reach it by.
import { describe, expect, it } from 'vitest';
import { readSettings, urlToCall } from './settings.mjs';

describe('settings', () => {
  it.each([
    [undefined, 'http://127.0.0.1:3000'],
    ['0.0.0.0', 'http://127.0.0.1:3000'],
    ['::', 'http://127.0.0.1:3000'],
    ['localhost', 'http://localhost:3000'],
    ['192.0.2.7', 'http://192.0.2.7:3000'],
    ['::1', 'http://[::1]:3000'],
    ['2001:db8::7', 'http://[2001:db8::7]:3000'],
  ])('listening on %s is called at %s', (host, url) => {
    expect(urlToCall(host, 3000)).toBe(url);
    expect(new URL(url).href).toBe(`${url}/`);
    expect(readSettings({ HOST: host }).publicUrl).toBe(url);
  });

  it('the public address is the one that is told, else that of the first api', () => {
    expect(readSettings({ PUBLIC_URL: 'https://tickets.example.org', HOST: '::1' }).publicUrl).toBe(
      'https://tickets.example.org',
    );
    expect(readSettings({ API_PORTS: '4000, 4001' })).toMatchObject({ ports: [4000, 4001], publicUrl: 'http://127.0.0.1:4000' });
  });
});
