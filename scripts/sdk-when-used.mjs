// The MCP SDK makes much when a server starts that most servers never use: half of the time until a client is answered. In the
// bundle it is made when it is used, by changes of the SDK's text. The build fails when a change does not find what it expects,
// as it may after an update of the SDK. Then look there what has become of it, or leave the change out.
import { readFileSync } from 'node:fs';

/** The files that are changed, in the SDK's folder. */
const changes = [
  [/[\\/]@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/, validatorWhenUsed],
  [/[\\/]@modelcontextprotocol[\\/]server[\\/]dist[\\/]src-[\w-]+\.mjs$/, wireSchemasWhenUsed],
  [/[\\/]@modelcontextprotocol[\\/]core[\\/]dist[\\/](?:schemas|auth)-[\w-]+\.mjs$/, schemasIfUsed],
];

/** A plugin for esbuild. */
export function sdkWhenUsed() {
  return {
    name: 'sdk-when-used',
    setup({ onLoad }) {
      for (const [filter, change] of changes) {
        onLoad({ filter }, ({ path }) => ({
          contents: change(readFileSync(path, 'utf8'), path),
          loader: 'js',
        }));
      }
    },
  };
}

/** The validator of JSON schemas: none is needed before a client answers a form, and the SDK makes one in each server. */
function validatorWhenUsed(text, file) {
  const provider = /^import \{ n as AjvJsonSchemaValidator \} from "(\.\/ajvProvider-[\w-]+\.mjs)";$/m.exec(
    text,
  )?.[1];
  const exported = 'export { AjvJsonSchemaValidator as DefaultJsonSchemaValidator, process };';
  if (provider === undefined || !text.includes(exported)) throw unexpected('the validator', file);
  return [
    'import process from "node:process";',
    'class DefaultJsonSchemaValidator {',
    '  getValidator(schema) {',
    `    this.inner ??= new (require(${JSON.stringify(provider)}).n)();`,
    '    return this.inner.getValidator(schema);',
    '  }',
    '}',
    'export { DefaultJsonSchemaValidator, process };',
  ].join('\n');
}

/** A schema of the module that nobody uses may be left out: esbuild cannot tell that to make it has no effect. */
function schemasIfUsed(text, file) {
  const [changed, count] = eachConstant(
    text,
    '',
    (name, value) => `const ${name} = /* @__PURE__ */ (() => ${value})();`,
  );
  if (count < 10) throw unexpected('schemas', file);
  return changed;
}

/**
 * The schemas of the generation of 2025, which agents speak, are made by one function, all 150 of them with the first message. A
 * conversation uses ten. Each becomes a function that makes it at its first call. There is also a list of all of them
 * for callers of the SDK, which keeps them: nobody here asks for it.
 */
function wireSchemasWhenUsed(text, file) {
  let changed = text;
  for (const loop of [
    'for (const key of SPEC_SCHEMA_KEYS) register(key, schemas_exports[key]);\n',
    'for (const [key, schema] of Object.entries(authSchemas)) register(key, schema);\n',
  ]) {
    if (!changed.includes(loop)) throw unexpected('the list of schemas', file);
    changed = changed.replace(loop, '');
  }
  const [builder] = /^function build\$1\(\) \{\n[\s\S]*?^\}$/m.exec(changed) ?? [];
  const [table] =
    /^function registryMaps(?:\$1)?\(\) \{\n.*\n\tconst s = buildSchemas2025\(\);\n[\s\S]*?^\}$/m.exec(
      changed,
    ) ?? [];
  if (builder === undefined || table === undefined) throw unexpected('the schemas of 2025', file);
  changed = changed
    .replace(builder, () => builtWhenUsed(builder, file))
    .replace(table, () => readWhenUsed(table, file));
  return `${helpers}${changed}`;
}

const helpers = `function __later(make) {
	let made;
	return () => made ??= make();
}
function __whenUsed(makers) {
	const all = {};
	for (const key in makers) Object.defineProperty(all, key, { enumerable: true, get: __later(makers[key]) });
	return all;
}
`;

function builtWhenUsed(body, file) {
  const end = body.indexOf('\n\treturn {\n');
  const [constants, result] = [body.slice(0, end), body.slice(end)];
  const names = [...constants.matchAll(/^\tconst ([\w$]+) = /gm)].map(([, name]) => name);
  const isName = new Set(names);
  const call = (code) =>
    code.replace(/(?<![\w$]|(?<!\.\.)\.)[\w$]+(?![\w$]|: )/g, (word) =>
      isName.has(word) ? `${word}()` : word,
    );
  const [later, count] = eachConstant(
    constants,
    '\t',
    (name, value) => `const ${name} = __later(() => ${call(value)});`,
  );
  if (end < 0 || count !== names.length || count < 50) throw unexpected('the schemas of a generation', file);
  const entries = result
    .replace(/^\n\treturn \{\n/, '')
    .replace(/\n\t\};\n\}$/, '')
    .split(/,\n(?=\t\t[\w$]+(?:: |,?$|\n))/m)
    .map((entry) => {
      const [, key, value = key] = /^\t\t([\w$]+)(?:: ([\s\S]+))?$/.exec(entry) ?? [];
      if (key === undefined) throw unexpected(`a schema, not ${entry}`, file);
      return `\t\t${key}: () => ${call(value)}`;
    });
  return `${later}\n\treturn __whenUsed({\n${entries.join(',\n')}\n\t});\n}`;
}

function readWhenUsed(body, file) {
  const changed = body.replace(/^(\t+)("[^"]+"|[\w$]+): (s\.[\w$]+)(,?)$/gm, '$1get $2() { return $3; }$4');
  if (changed === body) throw unexpected('a table of schemas', file);
  return changed;
}

/** Changes each `const NAME = VALUE;` of one indentation; the text and how many there were. */
function eachConstant(text, indent, change) {
  let count = 0;
  const statement = new RegExp(
    `^${indent}const ([\\w$]+Schema[\\w$]*) = (.*(?:\\n${indent}[\\t\\]})].*)*?);$`,
    'gm',
  );
  const changed = text.replace(statement, (_, name, value) => {
    count += 1;
    return indent + change(name, value);
  });
  return [changed, count];
}

function unexpected(what, file) {
  return new Error(`sdk-when-used.mjs: expected ${what} of the MCP SDK in ${file}; found something else`);
}
