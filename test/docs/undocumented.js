/**
 * Which public names are undocumented. Public are the exports of `src/index.ts`, and the members of their classes and
 * interfaces. The rules:
 *
 * 1. Every export has a docstring.
 * 2. Every member has one: methods, properties, accessors, and constructors with parameters. A member that overrides
 *    or implements a documented one has the docstring of that one.
 * 3. A property needs none if its owner explains it: the docstring of the class or of the record has its name in
 *    `backticks`, or a parameter or a documented option of the constructor has the same name.
 * 4. A function, method, constructor or accessor that throws says so with @throws. It throws if its body has a `throw`
 *    that is not of an InternalError (a defect of langevin), or calls a function whose name begins with check, require
 *    or assert. Errors that come from deeper calls may be named, but this check does not ask for them.
 *
 * Private and protected members are not public.
 */
import { ReflectionKind } from 'typedoc';
import ts from 'typescript';

const MEMBERS =
  ReflectionKind.Method | ReflectionKind.Property | ReflectionKind.Accessor | ReflectionKind.Constructor;
const CHECK = /^(check|require|assert)(?![a-z])/;

/** The signatures of a function, method, constructor or accessor. */
const signaturesOf = (name) =>
  [...(name.signatures ?? []), name.getSignature, name.setSignature].filter((one) => one !== undefined);

/** All comments of a name: its own, and those of its signatures. */
const commentsOf = (name) =>
  [name.comment, ...signaturesOf(name).map(({ comment }) => comment)].filter((one) => one !== undefined);

const textOf = (parts) => parts.map(({ text }) => text).join('');

/** Whether it has a text or a tag other than that of its chapter. */
const isDocumented = (name) =>
  commentsOf(name).some(
    ({ summary, blockTags }) =>
      textOf(summary).trim() !== '' || blockTags.some(({ tag }) => tag !== '@category'),
  );

/** The names in backticks in a docstring. */
const namedIn = (name) =>
  commentsOf(name).flatMap(({ summary, blockTags }) =>
    [textOf(summary), ...blockTags.map(({ content }) => textOf(content))].flatMap((text) =>
      [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word),
    ),
  );

/** The members of a type: of a class, an interface, a type literal, or of several of them. */
function membersOf(type) {
  if (type === undefined) return [];
  if (type.type === 'reflection') return type.declaration.children ?? [];
  if (type.type === 'reference') return type.reflection?.children ?? [];
  if (type.type === 'intersection' || type.type === 'union') return type.types.flatMap(membersOf);
  return [];
}

/** The parameters of a class's constructor and its documented options. */
function constructorNames(owner) {
  const constructors = (owner.children ?? []).filter(({ kind }) => kind === ReflectionKind.Constructor);
  const parameters = constructors.flatMap(signaturesOf).flatMap((one) => one.parameters ?? []);
  return parameters.flatMap(({ name, type }) => [
    name,
    ...membersOf(type)
      .filter(isDocumented)
      .map((option) => option.name),
  ]);
}

/** Whether a member must have a docstring of its own, and has none. */
function lacks(member, owner) {
  if (isDocumented(member)) return false;
  if (member.kind === ReflectionKind.Constructor) return signaturesOf(member)[0].parameters?.length > 0;
  if ((member.kind & (ReflectionKind.Property | ReflectionKind.Accessor)) === 0) return true;
  return ![...namedIn(owner), ...constructorNames(owner)].includes(member.name);
}

/** Whether the body of a declaration throws, by rule 4. */
function throws(declaration) {
  let found = false;
  const visit = (node) => {
    if (found) return;
    const thrown = ts.isThrowStatement(node) ? node.expression : undefined;
    const error = thrown && ts.isNewExpression(thrown) ? thrown.expression.text : '';
    if (thrown && error !== 'InternalError') found = true;
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && CHECK.test(node.expression.text)) {
      found = true;
    }
    ts.forEachChild(node, visit);
  };
  if (declaration.body) visit(declaration.body);
  else if (declaration.initializer) visit(declaration.initializer);
  return found;
}

/** Finds the declaration at a source position that typedoc gives. */
function declarationFinder(program) {
  const files = new Map();
  const placesOf = (path) => {
    const source = program.getSourceFile(path);
    const places = new Map();
    const visit = (node) => {
      const isFunction =
        ts.isFunctionLike(node) || (ts.isVariableDeclaration(node) && node.initializer !== undefined);
      if (isFunction && (node.body ?? node.initializer)) {
        for (const at of [node, node.name].filter((one) => one !== undefined)) {
          const { line, character } = source.getLineAndCharacterOfPosition(at.getStart(source));
          places.set(`${line + 1}:${character}`, node);
        }
      }
      ts.forEachChild(node, visit);
    };
    if (source) visit(source);
    return places;
  };
  return ({ fullFileName, line, character }) => {
    if (!files.has(fullFileName)) files.set(fullFileName, placesOf(fullFileName));
    return files.get(fullFileName).get(`${line}:${character}`);
  };
}

/**
 * What is undocumented, one line a name.
 * @param project typedoc's tree of the public names
 * @param program TypeScript's program, for the bodies of functions
 */
export function undocumented(project, program) {
  const find = declarationFinder(program);
  const result = { names: 0, lines: [] };
  const complain = (name, what) => {
    const { fileName, line } = name.sources?.[0] ?? signaturesOf(name)[0]?.sources?.[0] ?? {};
    result.lines.push(`${fileName}:${line}: ${name.getFullName()}: ${what}`);
  };
  const checkThrows = (name) => {
    if (commentsOf(name).some(({ blockTags }) => blockTags.some(({ tag }) => tag === '@throws'))) return;
    const sources = [name, ...signaturesOf(name)].flatMap(({ sources }) => sources ?? []);
    if (sources.map(find).some((declaration) => declaration && throws(declaration))) {
      complain(name, 'it throws, and expected @throws in its docstring');
    }
  };
  /** @param explained the name whose docstring may explain the members */
  const visit = (owner, explained) => {
    for (const name of owner.children ?? []) {
      // Members of an exported base class are checked there. A reference is a second name of an export.
      if (name.isReference() || name.inheritedFrom?.reflection) continue;
      if (name.flags.isProtected || name.flags.isExternal) continue;
      result.names++;
      const isMember = (name.kind & MEMBERS) !== 0;
      if (isMember ? lacks(name, explained) : !isDocumented(name))
        complain(name, 'expected a docstring, found none');
      checkThrows(name);
      visit(name, name);
    }
    const { type } = owner;
    if (type?.type === 'reflection') visit(type.declaration, owner);
  };
  visit(project, project);
  result.lines.sort();
  return result;
}
