/** The thread that compares passwords with their hashes; see password_check.ts. */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

interface Question {
  readonly id: number;
  readonly hash: string;
  readonly password: string;
}

parentPort?.on('message', ({ id, hash, password }: Question) => {
  parentPort?.postMessage({ id, isRight: compareSync(password, hash) });
});
