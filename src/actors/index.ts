export { controlProps, type Peers } from './control/control_actor.ts';
export { DiscoveryManager } from './control/discovery_manager.ts';
export { LocalWorkers, type ShardExecution, type ShardWrite } from './control/local_workers.ts';
export { QueryService } from './control/query_service.ts';
export { RuleManager } from './control/rule_manager.ts';
export { actorErrorCodes } from './errors.ts';
export { fromFlat, type LabelsFlat } from './flat_labels.ts';
export type { StoreLayout } from './store_layout.ts';
export type {
  AnswerMessage,
  ControlMessage,
  IngestOutcome,
  LookupSpec,
  QueryLimits,
  QuerySpec,
  RemoteWriteOutcome,
  ReportKind,
  ScrapeSettings,
  VectorMessage,
  WorkerMessage,
} from './worker/messages.ts';
export { controlName, startWorker, type WorkerSettings, workerName } from './worker/start_worker.ts';
