/**
 * Keeps the words of errors out of the mutants: text in a `throw` and in the `super(...)` call of an error. What is
 * promised of an error is its type and that it names what was wrong, and tests ask for both where it matters. Tests
 * that kill every mutant of a text can only repeat it, and then each better wording breaks them.
 * Conditions and arithmetic within such text stay mutants of their own unless they are part of a template.
 */
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

const isSuper = (node) => node.type === 'CallExpression' && node.callee.type === 'Super'

const wording = {
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral()) return
    const parent = path.findParent((above) => above.isThrowStatement() || isSuper(above.node) || above.isStatement())
    if (parent && (parent.isThrowStatement() || isSuper(parent.node))) return 'the words of an error'
  },
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'wording', wording)]
