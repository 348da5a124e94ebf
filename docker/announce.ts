/**
 * Lists this container as a target under the name that its Docker network knows it by, in a folder that all nodes share
 * and watch. The name stays when the container is made anew, so that the list doesn't fill with containers of the past.
 * Usage: node announce.ts FOLDER PORT
 */
import { resolvePtr } from 'node:dns/promises';
import { renameSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';

const [folder = '.', port = '9090'] = process.argv.slice(2);

async function ownName(): Promise<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { family, internal, address } of addresses) {
    if (family !== 'IPv4' || internal) continue;
    // Not `reverse`, which looks into /etc/hosts first and finds the container's id.
    const pointer = `${address.split('.').reverse().join('.')}.in-addr.arpa`;
    const [name] = await resolvePtr(pointer).catch(() => []);
    // Docker answers with NAME.NETWORK; the name alone resolves inside the network.
    if (name !== undefined) return name.split('.', 1)[0] ?? name;
  }
  return hostname();
}

const name = await ownName();
const file = join(folder, `${name}.json`);
writeFileSync(`${file}.new`, JSON.stringify([{ targets: [`${name}:${port}`] }]));
renameSync(`${file}.new`, file);
