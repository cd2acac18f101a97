/** The training: its buttons, its curves, its numbers as tables, and its model as a file. */
import { useMemo, useRef } from 'preact/hooks'
import { Curve } from './curve'
import { Folded } from './folded'
import { formatBytes, groupDigits } from './format'
import type { Trainer } from './run'
import { countsOf } from './samples'
import { formatHash, runKey, type Settings } from './settings'

interface Props {
  trainer: Trainer
  settings: Settings
  /** why these settings cannot train; null: they can */
  blocked: string | null
  load: (bytes: Uint8Array) => void
}

/** The text of a saved file that has the address: as in training.ts, which has the whole library. */
const ADDRESS = 'sluice.lab'
/** Rows of the table of steps. */
const LAST = 100

export function Train({ trainer, settings, blocked, load }: Props) {
  const { run } = trainer
  const file = useRef<HTMLInputElement>(null)
  const busy = run.status === 'starting' || run.status === 'running' || run.status === 'paused'
  const same = run.settings !== null && runKey(run.settings) === runKey(settings)
  const has = run.steps.length > 0 || run.loaded !== null
  const of = run.settings ?? settings
  const { train } = countsOf(of)
  const last = run.steps[run.steps.length - 1]
  const epoch = run.epochs[run.epochs.length - 1]
  const highest = run.steps.reduce((most, { peakBytes }) => Math.max(most, peakBytes), 0)
  const equal = run.steps.every(({ peakBytes, plannedPeakBytes }) => peakBytes === plannedPeakBytes)
  const perEpoch = Math.ceil(train / Math.min(of.batch, train))
  return (
    <section class="card" aria-labelledby="train-title" data-status={run.status} data-steps={run.steps.length}>
      <div class="head">
        <h2 id="train-title">Train</h2>
        <p class="buttons">
          {!busy && (
            <button
              type="button"
              class="main"
              disabled={blocked !== null}
              onClick={() => trainer.train(settings, false)}
            >
              {has ? (same ? 'Train again' : 'Train with these settings') : 'Train'}
            </button>
          )}
          {!busy && has && same && (
            <button type="button" onClick={() => trainer.train(settings, true)}>
              Go on
            </button>
          )}
          {run.status === 'running' && (
            <button type="button" onClick={trainer.pause}>
              Pause
            </button>
          )}
          {run.status === 'paused' && (
            <button type="button" class="main" onClick={trainer.resume}>
              Go on
            </button>
          )}
          {busy && (
            <button type="button" onClick={trainer.stop}>
              Stop
            </button>
          )}
        </p>
      </div>
      {blocked && !busy && <p class="soft">{blocked}</p>}
      {run.fault && <p class="fault">{run.fault}</p>}
      {busy && !same && <p class="soft">This training runs with the settings that it was started with.</p>}
      {!has && !busy && !run.fault && (
        <p class="soft">
          {groupDigits(train)} samples, {groupDigits(perEpoch)} {perEpoch === 1 ? 'mini-batch' : 'mini-batches'} an
          epoch. It runs in a worker of this page.
        </p>
      )}
      {run.loaded && (
        <p>
          A model of {groupDigits(run.loaded.step)} steps from a file. Test accuracy{' '}
          <b data-loaded={run.loaded.accuracy}>{(100 * run.loaded.accuracy).toFixed(1)} %</b>.
        </p>
      )}
      {(busy || run.steps.length > 0) && (
        <>
          <div
            class="progress"
            role="progressbar"
            aria-label="Micro-batches of this step"
            aria-valuemin={0}
            aria-valuemax={Math.max(1, run.of)}
            aria-valuenow={run.done}
          >
            <i
              class={run.of <= 60 ? 'parts' : ''}
              style={{ '--parts': run.done, width: `${(100 * run.done) / Math.max(1, run.of)}%` }}
            />
          </div>
          <dl class="facts">
            <Fact
              name="step"
              value={last ? groupDigits(last.step) : '0'}
              more={last ? `epoch ${last.epoch + 1} of ${of.epochs}` : ''}
            />
            <Fact name="loss" value={last ? last.loss.toPrecision(4) : '…'} more="of the mini-batch" />
            <Fact
              name="test accuracy"
              value={epoch ? `${(100 * epoch.accuracy).toFixed(1)} %` : '…'}
              more={epoch ? `loss ${epoch.testLoss.toPrecision(3)}` : ''}
            />
            <Fact
              name="images/s"
              value={epoch ? groupDigits(Math.round(epoch.imagesPerSecond)) : '…'}
              more={run.instructions}
            />
          </dl>
          {last && (
            <p class={equal ? 'proof' : 'proof no'}>
              {equal ? '✓' : '✗'} The measured peak {equal ? 'equals' : 'differs from'} the plan in{' '}
              {groupDigits(run.steps.length)} of {groupDigits(run.steps.length)} steps; the highest is{' '}
              {groupDigits(highest)} bytes of {formatBytes(of.memory)}.
            </p>
          )}
        </>
      )}
      <Curves trainer={trainer} />
      <p class="buttons">
        <button type="button" disabled={!has} onClick={() => trainer.save(formatHash(of))}>
          Save the model
        </button>
        <button type="button" onClick={() => file.current?.click()}>
          Load a model
        </button>
        <input
          ref={file}
          class="hidden"
          type="file"
          tabIndex={-1}
          aria-label="A safetensors file"
          accept=".safetensors"
          onChange={async (event) => {
            const [chosen] = event.currentTarget.files ?? []
            event.currentTarget.value = ''
            if (chosen) load(new Uint8Array(await chosen.arrayBuffer()))
          }}
        />
      </p>
      {has && <Folded summary="The numbers as tables">{() => <Tables trainer={trainer} />}</Folded>}
      <p class="hidden" role="status">
        {run.said}
      </p>
    </section>
  )
}

const Fact = ({ name, value, more }: { name: string; value: string; more: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {value}
      <small>{more}</small>
    </dd>
  </div>
)

function Curves({ trainer: { run } }: { trainer: Trainer }) {
  const { steps, epochs } = run
  const loss = useMemo(() => {
    const at = new Map(epochs.map(({ step, testLoss }) => [step, testLoss]))
    return {
      x: steps.map(({ step }) => step),
      train: steps.map(({ loss }) => loss),
      test: steps.map(({ step }) => at.get(step) ?? null),
    }
  }, [steps.length, epochs.length])
  if (steps.length < 2) return null
  const [first, last] = [steps[0], steps[steps.length - 1]]
  const best = Math.max(0, ...epochs.map(({ accuracy }) => accuracy))
  return (
    <div class="curves">
      <Curve
        title="Loss"
        described={`of a mini-batch from ${first.loss.toPrecision(3)} to ${last.loss.toPrecision(3)} over ${last.step} steps`}
        x={loss.x}
        height={150}
        show={(value) => String(Number(value.toPrecision(3)))}
        range={(_, most) => [0, Math.max(0.1, 1.05 * most)]}
        series={[
          { label: 'mini-batch', colour: '--accent', values: loss.train },
          { label: 'test', colour: '--warm', values: loss.test, dots: epochs.length < 40 },
        ]}
      />
      <Curve
        title="Test accuracy"
        described={`up to ${(100 * best).toFixed(1)} % in ${epochs.length} epochs`}
        x={epochs.map(({ epoch }) => epoch + 1)}
        height={150}
        show={(value) => `${Math.round(100 * value)} %`}
        range={() => [0, 1]}
        series={[
          {
            label: 'of an epoch',
            colour: '--warm',
            values: epochs.map(({ accuracy }) => accuracy),
            dots: epochs.length < 40,
          },
        ]}
      />
    </div>
  )
}

function Tables({ trainer: { run } }: { trainer: Trainer }) {
  const steps = run.steps.slice(-LAST)
  return (
    <section class="scroll tall" tabIndex={0} aria-label="Epochs and steps">
      <table>
        <caption>Epochs</caption>
        <thead>
          <tr>
            <th scope="col">epoch</th>
            <th scope="col">loss</th>
            <th scope="col">test loss</th>
            <th scope="col">accuracy</th>
          </tr>
        </thead>
        <tbody>
          {run.epochs.map(({ epoch, trainLoss, testLoss, accuracy }) => (
            <tr key={epoch} data-test-loss={testLoss} data-accuracy={accuracy}>
              <th scope="row">{epoch + 1}</th>
              <td>{trainLoss.toPrecision(4)}</td>
              <td>{testLoss.toPrecision(4)}</td>
              <td>{(100 * accuracy).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>The last {LAST} steps</caption>
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col">loss</th>
            <th scope="col">samples</th>
            <th scope="col">peak bytes</th>
            <th scope="col">ms</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ step, loss, samples, peakBytes, ms }) => (
            <tr key={step} data-loss={loss}>
              <th scope="row">{groupDigits(step)}</th>
              <td>{loss.toPrecision(6)}</td>
              <td>{groupDigits(samples)}</td>
              <td>{groupDigits(peakBytes)}</td>
              <td>{ms.toFixed(0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** The address of the page in a file that it has saved; null: it has none. */
export function addressIn(bytes: Uint8Array): string | null {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
    const address: unknown = header.__metadata__?.[ADDRESS]
    return typeof address === 'string' ? address : null
  } catch {
    return null
  }
}

export function download(bytes: Uint8Array, name: string): void {
  const address = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'application/octet-stream' }))
  const link = Object.assign(document.createElement('a'), { href: address, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
