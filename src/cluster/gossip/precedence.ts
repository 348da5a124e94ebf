/**
 * Which claim wins. SWIM, section 4.2: a newer incarnation beats an older one; within an incarnation suspect
 * beats alive and dead beats both; here a leave, which the member itself announced, beats dead. The order is
 * total, so merging is commutative and idempotent and every node ends with the same view.
 */
import { type MemberState, memberStates } from './types.ts';

export interface Claim {
  readonly state: MemberState;
  readonly incarnation: number;
}

/** Whether `claim` replaces `known`. */
export function overrides(claim: Claim, known: Claim): boolean {
  if (claim.incarnation !== known.incarnation) return claim.incarnation > known.incarnation;
  return memberStates.indexOf(claim.state) > memberStates.indexOf(known.state);
}
