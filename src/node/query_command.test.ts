import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runCli } from './cli.ts';
import { explainQuery } from './query_command.ts';

/** A server that remembers what it was asked and gives one answer; `run` is the command line. */
async function serve(context: TestContext, answer: object) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push(`${request.url} ${body}`);
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const said = { out: '', error: '' };
  const output = {
    out: (text: string): void => {
      said.out += text;
    },
    error: (text: string): void => {
      said.error += text;
    },
  };
  const none = (): Promise<number> => Promise.reject(new Error('another command'));
  const commands = {
    ...{ node: none, local: none, check: none, version: () => undefined },
    explain: (options: Parameters<typeof explainQuery>[0]) => explainQuery(options, output),
  };
  const run = (...words: string[]): Promise<number> =>
    runCli(['query', 'explain', ...words], commands, output);
  return { url, asked, said, run };
}

test('a plan is asked of the node and shown, warnings apart', async (context) => {
  const { url, asked, said, run } = await serve(context, {
    status: 'success',
    data: { explain: 'vector up' },
    warnings: ['w'],
  });
  assert.equal(await run('--url', `${url}/`, 'sum(up)'), 0);
  assert.equal(await run('--url', url, '--start', '1', '--end', '2', '--step', '1m', 'up'), 0);
  assert.deepEqual(asked, [
    '/api/v1/query query=sum%28up%29&explain=true',
    '/api/v1/query_range query=up&explain=true&start=1&end=2&step=1m',
  ]);
  assert.deepEqual(said, { out: 'vector up\nvector up\n', error: 'w\nw\n' });
});

test('an error of the query, and a node that is not there, are told with exit code 1', async (context) => {
  const { url, said, run } = await serve(context, { status: 'error', error: 'bad query' });
  assert.equal(await run('--url', url, ')'), 1);
  assert.equal(said.error, 'bad query\n');
  assert.equal(await run('--url', 'http://127.0.0.1:1', 'up'), 1);
  assert.match(said.error, /http:\/\/127.0.0.1:1 did not answer/);
  assert.equal(said.out, '');
});
