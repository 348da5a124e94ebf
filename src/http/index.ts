export { type Connections, openDispatcher } from './dispatcher.ts';
export { type OutgoingRequest, send } from './send.ts';
