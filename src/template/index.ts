export { alertmanagerFunctions, stringList } from './alertmanager_functions.ts';
export {
  CompiledTemplate,
  type CompileOptions,
  compileTemplate,
  type ExecuteOptions,
  type TemplateFunctions,
  TemplateLibrary,
  validateTemplate,
} from './compile.ts';
export { TemplateExecuteError, TemplateParseError } from './errors.ts';
export { defaultTemplateLimits, type TemplateLimits } from './evaluate.ts';
export {
  type PrometheusTemplateDeps,
  prometheusFunctions,
  prometheusFunctionsForCheck,
  type TemplateSample,
} from './prometheus_functions.ts';
export { TemplateDuration, TemplateTime, zeroTimeMs } from './time.ts';
export {
  stringArg,
  type TemplateFunction,
  TemplateList,
  TemplateMap,
  TemplateStruct,
  type TemplateValue,
  templateFunction,
} from './value.ts';
