// The targets that `torchring check config` can know without asking anybody: those in the configuration and those in
// the files of file discovery. Each is made into a target as its job would make it.
import { extname } from 'node:path';
import { errorText } from '../base/index.ts';
import { type DiscoveryConfig, parseGroupList } from '../discovery/index.ts';
import { Labels, LabelsBuilder } from '../model/index.ts';
import { populateTarget, Relabeler } from '../scrape/index.ts';
import type { FileProblem } from './check_files.ts';
import type { PrometheusConfig } from './config.ts';
import { diskFiles } from './config_files.ts';

export interface TargetFindings {
  readonly problems: readonly FileProblem[];
  readonly warnings: readonly string[];
}

/** Where targets are written, and who would have them. */
interface Place {
  readonly path: readonly (string | number)[];
  /** Of the job or endpoint, in promtool's words. */
  readonly owner: string;
  readonly sections: readonly DiscoveryConfig[];
  /** What is wrong with a target, if anything. */
  readonly problemOf: (labels: Labels) => string | undefined;
}

/** With `syntaxOnly` no file is looked at. */
export async function checkTargets(config: PrometheusConfig, syntaxOnly: boolean): Promise<TargetFindings> {
  const problems: FileProblem[] = [];
  const warnings: string[] = [];
  for (const place of [...jobPlaces(config), ...endpointPlaces(config)]) {
    for (const section of place.sections) {
      if (section.mechanism === 'static') {
        const message = firstProblem(staticTargets(section), place);
        if (message !== undefined) problems.push({ path: [...place.path, 'static_configs'], message });
      } else if (section.mechanism === 'file' && !syntaxOnly) {
        const path = [...place.path, 'file_sd_configs'];
        for (const pattern of section.files) {
          const files = await diskFiles.glob(pattern);
          if (files.length === 0)
            warnings.push(`WARNING: file "${pattern}" for file_sd in ${place.owner} does not exist`);
          for (const file of files) {
            const message = await fileProblem(file, pattern, place);
            if (message !== undefined) problems.push({ path, message });
          }
        }
      }
    }
  }
  return { problems, warnings };
}

function* jobPlaces({ scrapeConfigs }: PrometheusConfig): Generator<Place> {
  for (const [index, job] of scrapeConfigs.entries()) {
    yield {
      path: ['scrape_configs', index],
      owner: `scrape job "${job.jobName}"`,
      sections: job.serviceDiscoveryConfigs,
      problemOf: (labels) => {
        const target = populateTarget(labels, job);
        return target.kind === 'invalid' ? target.error.message : undefined;
      },
    };
  }
}

function* endpointPlaces({ alerting }: PrometheusConfig): Generator<Place> {
  for (const [index, endpoint] of alerting.alertmanagers.entries()) {
    const relabeler = new Relabeler(endpoint.relabelConfigs);
    yield {
      path: ['alerting', 'alertmanagers', index],
      owner: 'alertmanager config',
      sections: endpoint.serviceDiscoveryConfigs,
      problemOf: (labels) => {
        const builder = new LabelsBuilder(labels);
        const address = relabeler.apply(builder) ? builder.get('__address__') : '';
        return address.includes('/') ? `"${address}" is not a valid hostname` : undefined;
      },
    };
  }
}

function* staticTargets({ groups }: Extract<DiscoveryConfig, { mechanism: 'static' }>): Generator<Labels> {
  for (const { targets, labels } of groups)
    for (const address of targets) yield Labels.fromRecord({ ...labels, __address__: address });
}

async function fileProblem(file: string, pattern: string, place: Place): Promise<string | undefined> {
  try {
    const text = await diskFiles.readText(file);
    const groups = parseGroupList(text, extname(file).toLowerCase() === '.json' ? 'json' : 'yaml');
    const found = groups.flatMap(({ targets, labels }) =>
      targets.map((target) => Labels.fromRecord({ ...labels, ...target.toRecord() })),
    );
    return firstProblem(found, place);
  } catch (error) {
    return `checking SD file "${pattern}": ${errorText(error)}`;
  }
}

function firstProblem(targets: Iterable<Labels>, { problemOf }: Place): string | undefined {
  for (const labels of targets) {
    const problem = problemOf(labels);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
