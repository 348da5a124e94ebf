// All `*_sd_configs` sections together: they stand inline among the fields of a scrape job or of an
// Alertmanager endpoint, any number of each, and become one list.
import { type Decoder, decode, type InlineDecoder, type MapNode, type Scope } from '../../model/index.ts';
import {
  addressProblem,
  type DnsSdConfig,
  dnsSd,
  fileSd,
  type HttpSdConfig,
  httpSd,
  staticGroup,
} from './basic.ts';
import {
  type AwsSdConfig,
  type AwsServiceSdConfig,
  awsSd,
  awsServiceSd,
  type Ec2SdConfig,
  ec2Sd,
  type LightsailSdConfig,
  lightsailSd,
} from './clouds_aws.ts';
import {
  type AzureSdConfig,
  azureSd,
  type GceSdConfig,
  gceSd,
  type OciSdConfig,
  type OpenstackSdConfig,
  ociSd,
  openstackSd,
} from './clouds_enterprise.ts';
import {
  type DigitalOceanSdConfig,
  digitalOceanSd,
  type HetznerSdConfig,
  hetznerSd,
  type IonosSdConfig,
  ionosSd,
  type LinodeSdConfig,
  linodeSd,
  type OutscaleSdConfig,
  type OvhcloudSdConfig,
  outscaleSd,
  ovhcloudSd,
  type ScalewaySdConfig,
  type StackitSdConfig,
  scalewaySd,
  stackitSd,
  type VultrSdConfig,
  vultrSd,
} from './clouds_hosting.ts';
import {
  type DockerSdConfig,
  type DockerSwarmSdConfig,
  dockerSd,
  dockerSwarmSd,
  type PuppetDbSdConfig,
  puppetDbSd,
  type TritonSdConfig,
  tritonSd,
  type UyuniSdConfig,
  uyuniSd,
} from './hosts.ts';
import { type KubernetesSdConfig, kubernetesSd } from './kubernetes.ts';
import {
  type ConsulSdConfig,
  consulSd,
  type EurekaSdConfig,
  eurekaSd,
  type KumaSdConfig,
  kumaSd,
  type MarathonSdConfig,
  marathonSd,
  type NerveSdConfig,
  type NomadSdConfig,
  nerveSd,
  nomadSd,
  type ServersetSdConfig,
  serversetSd,
} from './registries.ts';
import type { FileSdConfig, StaticConfig } from './static_types.ts';

/** One section of some mechanism. All `static_configs` of a job together are one. */
export type DiscoveryConfig =
  | AwsSdConfig
  | AwsServiceSdConfig
  | AzureSdConfig
  | ConsulSdConfig
  | DigitalOceanSdConfig
  | DnsSdConfig
  | DockerSdConfig
  | DockerSwarmSdConfig
  | Ec2SdConfig
  | EurekaSdConfig
  | FileSdConfig
  | GceSdConfig
  | HetznerSdConfig
  | HttpSdConfig
  | IonosSdConfig
  | KubernetesSdConfig
  | KumaSdConfig
  | LightsailSdConfig
  | LinodeSdConfig
  | MarathonSdConfig
  | NerveSdConfig
  | NomadSdConfig
  | OciSdConfig
  | OpenstackSdConfig
  | OutscaleSdConfig
  | OvhcloudSdConfig
  | PuppetDbSdConfig
  | ScalewaySdConfig
  | ServersetSdConfig
  | StackitSdConfig
  | StaticConfig
  | TritonSdConfig
  | UyuniSdConfig
  | VultrSdConfig;

export type MechanismName = DiscoveryConfig['mechanism'];

type Sections = { readonly [M in Exclude<MechanismName, 'static'>]: Decoder<DiscoveryConfig> };

/** In the order of the names, which is the order in which a job's sections are listed. */
const sections: Sections = {
  aws: awsSd,
  azure: azureSd,
  consul: consulSd,
  digitalocean: digitalOceanSd,
  dns: dnsSd,
  docker: dockerSd,
  dockerswarm: dockerSwarmSd,
  ec2: ec2Sd,
  ecs: awsServiceSd('ecs'),
  elasticache: awsServiceSd('elasticache'),
  eureka: eurekaSd,
  file: fileSd,
  gce: gceSd,
  hetzner: hetznerSd,
  http: httpSd,
  ionos: ionosSd,
  kubernetes: kubernetesSd,
  kuma: kumaSd,
  lightsail: lightsailSd,
  linode: linodeSd,
  marathon: marathonSd,
  msk: awsServiceSd('msk'),
  nerve: nerveSd,
  nomad: nomadSd,
  oci: ociSd,
  openstack: openstackSd,
  outscale: outscaleSd,
  ovhcloud: ovhcloudSd,
  puppetdb: puppetDbSd,
  rds: awsServiceSd('rds'),
  scaleway: scalewaySd,
  serverset: serversetSd,
  stackit: stackitSd,
  triton: tritonSd,
  uyuni: uyuniSd,
  vultr: vultrSd,
};

const newerMechanisms = new Set<string>(['aws', 'ecs', 'elasticache', 'msk', 'oci', 'outscale', 'rds']);

const byKey = new Map<string, Decoder<DiscoveryConfig>>(
  Object.entries(sections).map(([name, section]) => [`${name}_sd_configs`, section]),
);

/** The discovery sections among the fields of another section. */
export const discoverySections: InlineDecoder<readonly DiscoveryConfig[]> = {
  knows: (yamlField) => yamlField === 'static_configs' || byKey.has(yamlField),
  initial: () => [],
  decodeFields(map: MapNode, scope: Scope): readonly DiscoveryConfig[] {
    const configs: DiscoveryConfig[] = [];
    for (const [key, section] of byKey) configs.push(...decodeSection(map, key, section, scope));
    const groups = decodeSection(map, 'static_configs', staticGroup, scope);
    if (groups.length > 0) configs.push({ mechanism: 'static', groups });
    return configs;
  },
};

function decodeSection<T>(map: MapNode, key: string, section: Decoder<T>, scope: Scope): readonly T[] {
  const node = decode.mapEntry(map, key);
  if (node === undefined) return [];
  const at = scope.child(key);
  if (scope.context.compatibility === '3.5' && newerMechanisms.has(key.replace('_sd_configs', ''))) {
    at.problem(node, `unknown field "${key}" (known to Prometheus after 3.5)`);
    return [];
  }
  return decode.decodeNode(decode.list(section, { nullItem: `empty or null section in ${key}` }), node, at);
}

/** What is wrong with the addresses of static targets, if anything. */
export function checkStaticTargets(configs: readonly DiscoveryConfig[]): string | undefined {
  for (const config of configs) {
    if (config.mechanism !== 'static') continue;
    for (const { targets } of config.groups) {
      const problem = targets.map(addressProblem).find((found) => found !== undefined);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** Mechanisms that discover targets today; the others' sections are read and then ignored. */
const served: ReadonlySet<string> = new Set<MechanismName>(['static', 'file', 'http', 'dns']);

export const isServed = (mechanism: string): boolean => served.has(mechanism);

/** Names of the mechanisms that these sections ask for and that do nothing yet, sorted, each once. */
export function ignoredMechanisms(configs: readonly DiscoveryConfig[]): readonly MechanismName[] {
  const names = new Set(configs.map(({ mechanism }) => mechanism).filter((name) => !isServed(name)));
  return [...names].toSorted();
}
