/**
 * Keeps the words of errors out of the mutants: text in a `throw` and in the `super(...)` call of an error. An error
 * promises its type, and that it names the fault; tests check both where it matters. Tests that kill every mutant of a
 * text would have to repeat the text, and would break with each better wording. Conditions and arithmetic inside such
 * text remain mutants unless they are part of a template.
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
