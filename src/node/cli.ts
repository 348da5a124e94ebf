// The command line's grammar: commands, their options and help. Commands are carried out elsewhere; what is
// given here are functions that do so.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type FlagSpec, flagTable, flagText } from './flag_table.ts';
import type { GivenFlags } from './flag_values.ts';
import type { NodeFlags } from './flags.ts';
import { ignoredFlags } from './ignored_flags.ts';
import type { ExplainArguments } from './query_command.ts';

const checkKinds = ['config', 'rules', 'alertmanager', 'web-config'] as const;
export type CheckKind = (typeof checkKinds)[number];

export interface CheckOptions {
  readonly syntaxOnly: boolean;
  /** Which Prometheus' fields are known. */
  readonly compatibility: '3.5' | 'latest';
  /** Names of --enable-feature, by which the rules are judged. */
  readonly enabledFeatures: readonly string[];
}

export interface LocalArguments {
  readonly nodes: number;
  readonly basePort: number;
  readonly dataPath: string;
  readonly configFile: string | undefined;
  readonly alertmanagerConfigFile: string | undefined;
  readonly extraArguments: readonly string[];
}

/** What the commands do; each gives the process' exit code. */
export interface Commands {
  readonly node: (given: GivenFlags) => Promise<number>;
  readonly local: (options: LocalArguments) => Promise<number>;
  readonly check: (kind: CheckKind, files: readonly string[], options: CheckOptions) => Promise<number>;
  readonly explain: (options: ExplainArguments) => Promise<number>;
  readonly version: () => void;
}

export interface CliOutput {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** Exit code of a command line that makes no sense, and of settings that don't. */
export const usageExitCode = 2;

const localNodesDefault = 3;
const localNodesMax = 20;
const basePortDefault = 9090;
const portMax = 65_535;

/** Runs the command that the words ask for. Resolves with the exit code. */
export async function runCli(
  words: readonly string[],
  commands: Commands,
  output: CliOutput,
): Promise<number> {
  let exitCode = 0;
  const done = (code: number): void => {
    exitCode = code;
  };
  let usage = '';
  const program = new Command('torchring')
    .description('Prometheus as a cluster: scrape, store, query and page from N equal nodes')
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: (text) => {
        usage += text;
      },
      outputError: () => {},
    });
  addNode(program, commands, done);
  addLocal(program, commands, done);
  addCheck(program, commands, done);
  addQuery(program, commands, done);
  program
    .command('version')
    .description('Print the version')
    .action(() => commands.version());
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return explain(error, usage, output);
  }
}

function explain(error: CommanderError, usage: string, output: CliOutput): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') {
    output.error(usage);
    return usageExitCode;
  }
  const line = error.message.replaceAll(/\s*\n\s*/g, ' ').replace(/^error: /, '');
  output.error(`torchring: ${line}\n`);
  return usageExitCode;
}

function addNode(program: Command, commands: Commands, done: (code: number) => void): void {
  const node = program
    .command('node')
    .description('Run a node of a cluster; with no other node, a cluster of one')
    .addHelpText('after', nodeNotes);
  for (const [key, spec] of Object.entries(flagTable) as [keyof NodeFlags, FlagSpec<unknown>][]) {
    const initial = spec.value === undefined ? '' : flagText(key, spec.initial as NodeFlags[typeof key]);
    const shown = initial === '' || initial === '0' ? spec.help : `${spec.help} Default: ${initial}.`;
    addFlag(node, spec.name, spec.value, shown, `${spec.group}:`, spec.repeatable === true);
  }
  for (const [name, isSwitch] of Object.entries(ignoredFlags)) {
    addFlag(node, name, isSwitch ? undefined : 'value', '', '', false, true);
  }
  node.action(async (_options: unknown, command: Command) => done(await commands.node(givenFlags(command))));
}

const nodeNotes = `
Every flag can be given by an environment variable too: TORCHRING_CLUSTER_JOIN for --cluster.join, with commas
between several values. The command line wins. Other flags of Prometheus are taken and have no effect.
`;

function addFlag(
  command: Command,
  name: string,
  value: string | undefined,
  help: string,
  group: string,
  repeatable: boolean,
  hidden = false,
): void {
  const option = new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, help);
  if (value !== undefined) {
    // Texts are kept as they are; the table turns them into values, whether from here or the environment.
    option.argParser((text: string, before: readonly string[] | undefined) =>
      repeatable ? [...(before ?? []), text] : [text],
    );
  }
  if (group !== '') option.helpGroup(group);
  command.addOption(hidden ? option.hideHelp() : option);
  if (value === undefined) command.addOption(new Option(`--no-${name}`, help).hideHelp());
}

function givenFlags(command: Command): GivenFlags {
  const values = command.opts<Record<string, unknown>>();
  const given = new Map<string, readonly string[]>();
  for (const option of command.options) {
    if (option.negate) continue;
    const value = values[option.attributeName()];
    if (command.getOptionValueSource(option.attributeName()) !== 'cli') continue;
    const texts = Array.isArray(value) ? value.map(String) : [String(value)];
    given.set((option.long ?? '').slice(2), texts);
  }
  return given;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

interface LocalValues {
  readonly nodes: number;
  readonly basePort: number;
  readonly data: string;
  readonly 'config.file'?: string;
  readonly 'alertmanager.config.file'?: string;
}

function addLocal(program: Command, commands: Commands, done: (code: number) => void): void {
  program
    .command('local')
    .description('Run a whole cluster on this machine, to try it')
    .option('--nodes <n>', 'Number of nodes.', wholeNumber(1, localNodesMax), localNodesDefault)
    .option(
      '--base-port <port>',
      'HTTP port of the first node; the next nodes follow a hundred apart.',
      wholeNumber(1, portMax),
      basePortDefault,
    )
    .option('--data <dir>', 'Directory for data and logs.', 'data')
    .option('--config.file <path>', 'Prometheus configuration file; default: the cluster scrapes itself.')
    .option('--alertmanager.config.file <path>', 'Alertmanager configuration file.')
    .argument('[node-flags...]', 'after --: further flags of "torchring node", given to every node')
    .action(async (extraArguments: readonly string[], values: LocalValues) => {
      const options = {
        nodes: values.nodes,
        basePort: values.basePort,
        dataPath: values.data,
        configFile: values['config.file'],
        alertmanagerConfigFile: values['alertmanager.config.file'],
        extraArguments,
      };
      done(await commands.local(options));
    });
}

interface CheckValues {
  readonly syntaxOnly?: boolean;
  readonly compat: '3.5' | 'latest';
  readonly enableFeature: readonly string[];
}

function addNames(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')];
}

function addCheck(program: Command, commands: Commands, done: (code: number) => void): void {
  const check = program
    .command('check')
    .description('Check configuration files; exit code 1 when one is bad');
  for (const kind of checkKinds) {
    check
      .command(kind)
      .description(checkDescriptions[kind])
      .argument('<files...>', 'files to check')
      .option('--syntax-only', 'Do not look at files that the configuration names.')
      .addOption(
        new Option(
          '--compat <version>',
          "Fields of which Prometheus are known: its 3.5 line's, or all of 3.x.",
        )
          .choices(['3.5', 'latest'])
          .default('3.5'),
      )
      .addOption(
        new Option('--enable-feature <names>', 'Features of Prometheus that rules may use, comma separated.')
          .argParser(addNames)
          .default([], 'none'),
      )
      .action(async (files: readonly string[], values: CheckValues) => {
        const options = {
          syntaxOnly: values.syntaxOnly === true,
          compatibility: values.compat,
          enabledFeatures: values.enableFeature,
        };
        done(await commands.check(kind, files, options));
      });
  }
}

function addQuery(program: Command, commands: Commands, done: (code: number) => void): void {
  program
    .command('query')
    .description('Ask a running node')
    .command('explain')
    .description('Run a query and show what its operators did, and where')
    .argument('<expr>', 'a PromQL expression')
    .option('--url <url>', "A node's HTTP address.", `http://localhost:${basePortDefault}`)
    .option('--time <time>', 'Of an instant query; default: now.')
    .option('--start <time>', 'Of a range query; with --end and --step.')
    .option('--end <time>', 'Of a range query.')
    .option('--step <duration>', 'Of a range query.')
    .action(async (expr: string, values: Omit<ExplainArguments, 'expr'>) => {
      const { url, time, start, end, step } = values;
      done(await commands.explain({ url, expr, time, start, end, step }));
    });
}

const checkDescriptions: Readonly<Record<CheckKind, string>> = {
  config: 'Check prometheus.yml files, and the rule files that they name',
  rules: 'Check rule files',
  alertmanager: 'Check alertmanager.yml files',
  'web-config': 'Check web configuration files, with the certificates that they name',
};
