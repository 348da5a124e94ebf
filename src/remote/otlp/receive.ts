/** What the receiver does with a body. */
import { decodeOtlp, type OtlpBody } from './decode.ts';
import { type OtlpRules, type TranslatedOtlp, translateOtlp } from './translate.ts';

/** Rejects with RemoteRequestError when the body can't be read; what can't be translated is counted. */
export async function receiveOtlp(body: OtlpBody, rules: OtlpRules): Promise<TranslatedOtlp> {
  return translateOtlp(await decodeOtlp(body), rules);
}
