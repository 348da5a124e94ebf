/** Headers that an HTTP section adds to each request: credentials and the user's own. */
import type { HttpClientConfig } from '../model/index.ts';
import { oauth2Header } from './oauth2.ts';
import { readSecret } from './secret.ts';

/** Files are read for each request, so that rotated secrets are seen at once. Rejects when one can't be read. */
export async function secretHeaders(
  config: HttpClientConfig,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const [name, { values, secrets, files }] of Object.entries(config.httpHeaders)) {
    const fromFiles = await Promise.all(files.map(readSecret));
    headers.set(name, [...values, ...secrets, ...fromFiles].join(', '));
  }
  const { authorization, basicAuth, oauth2 } = config;
  if (oauth2 !== undefined) headers.set('authorization', await oauth2Header(oauth2, signal));
  if (authorization !== undefined) {
    const credentials = await secretOr(authorization.credentialsFile, authorization.credentials);
    headers.set(
      'authorization',
      `${authorization.type === '' ? 'Bearer' : authorization.type} ${credentials}`,
    );
  }
  if (basicAuth !== undefined) {
    const username = await secretOr(basicAuth.usernameFile, basicAuth.username);
    const password = await secretOr(basicAuth.passwordFile, basicAuth.password);
    headers.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  }
  return Object.fromEntries(headers);
}

const secretOr = (file: string, inline: string): Promise<string> =>
  file === '' ? Promise.resolve(inline) : readSecret(file);
