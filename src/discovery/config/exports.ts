// What the discovery sections offer; one line of the room's index takes it all.
export {
  addressProblem,
  type DnsSdConfig,
  type HttpSdConfig,
  staticGroups,
} from './basic.ts';
export type { AwsSdConfig, AwsServiceSdConfig, Ec2SdConfig, LightsailSdConfig } from './clouds_aws.ts';
export type { AzureSdConfig, GceSdConfig, OciSdConfig, OpenstackSdConfig } from './clouds_enterprise.ts';
export type {
  DigitalOceanSdConfig,
  HetznerSdConfig,
  IonosSdConfig,
  LinodeSdConfig,
  OutscaleSdConfig,
  OvhcloudSdConfig,
  ScalewaySdConfig,
  StackitSdConfig,
  VultrSdConfig,
} from './clouds_hosting.ts';
export type {
  DockerSdConfig,
  DockerSwarmSdConfig,
  PuppetDbSdConfig,
  TritonSdConfig,
  UyuniSdConfig,
} from './hosts.ts';
export type { KubernetesRole, KubernetesSdConfig } from './kubernetes.ts';
export type {
  ConsulSdConfig,
  EurekaSdConfig,
  KumaSdConfig,
  MarathonSdConfig,
  NerveSdConfig,
  NomadSdConfig,
  ServersetSdConfig,
} from './registries.ts';
export {
  checkStaticTargets,
  type DiscoveryConfig,
  discoverySections,
  ignoredMechanisms,
  type MechanismName,
} from './sections.ts';
export type { FileSdConfig, StaticConfig, StaticGroup } from './static_types.ts';
