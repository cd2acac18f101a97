/** A pad to draw on, with the pointer or by keys. What is drawn goes to the model as its data look, and its answer is shown. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { percent } from './format'
import { asDigit, asShape, type Stroke } from './pixels'
import type { Trainer } from './run'
import { CLASSES } from './samples'
import type { Settings } from './settings'

const SIDE = 240
/** A press of an arrow moves the pen so far, in shares of the pad. */
const PRESS = 1 / 16

export function Draw({ trainer, settings }: { trainer: Trainer; settings: Settings }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const seen = useRef<HTMLCanvasElement>(null)
  const strokes = useRef<Stroke[]>([])
  const pen = useRef({ x: 0.5, y: 0.5, down: false, keys: false })
  const [outputs, answer] = useState<readonly number[] | null>(null)
  const waiting = useRef(false)
  const again = useRef(false)
  const { run } = trainer
  const ready = run.steps.length > 0 || run.loaded !== null
  const digit = settings.data === 'digits'
  const thick = digit ? 0.1 : 0.16

  const classify = useCallback(() => {
    if (strokes.current.length === 0 || !ready) return
    if (waiting.current) {
      again.current = true
      return
    }
    waiting.current = true
    const made = digit ? asDigit(strokes.current) : asShape(strokes.current, settings.image, thick)
    show(seen.current, made, digit ? 8 : settings.image)
    trainer.classify(made, (logits) => {
      waiting.current = false
      answer(softmax(logits))
      if (again.current) {
        again.current = false
        classify()
      }
    })
  }, [ready, digit, settings.image])

  const draw = useCallback(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    context.clearRect(0, 0, SIDE, SIDE)
    const style = getComputedStyle(canvas.current as HTMLCanvasElement)
    context.strokeStyle = style.color
    Object.assign(context, { lineCap: 'round', lineJoin: 'round', lineWidth: thick * SIDE })
    for (const stroke of strokes.current) {
      context.beginPath()
      for (const [i, { x, y }] of stroke.entries()) {
        if (i === 0) context.moveTo(x * SIDE, y * SIDE)
        context.lineTo(x * SIDE + 0.01, y * SIDE)
      }
      context.stroke()
    }
    if (pen.current.keys) {
      context.strokeStyle = style.outlineColor
      context.lineWidth = 2
      context.beginPath()
      context.arc(pen.current.x * SIDE, pen.current.y * SIDE, 9, 0, 7)
      context.stroke()
    }
  }, [thick])

  const clear = () => {
    strokes.current = []
    pen.current.down = false
    answer(null)
    show(seen.current, null, 8)
    draw()
  }
  useEffect(clear, [settings.data])
  // what is drawn is looked at again as the model learns
  useEffect(() => classify(), [run.epochs.length, run.loaded])

  const to = (event: PointerEvent) => {
    const { left, top, width, height } = (event.currentTarget as Element).getBoundingClientRect()
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height }
  }
  const extend = (point: { x: number; y: number }, begin: boolean) => {
    if (begin || strokes.current.length === 0) strokes.current.push([point])
    else strokes.current[strokes.current.length - 1].push(point)
    draw()
    classify()
  }
  const press = (event: KeyboardEvent) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [
      0, 0,
    ]
    const { current } = pen
    if (event.key === ' ') {
      current.down = !current.down
      if (current.down) extend({ x: current.x, y: current.y }, true)
    } else if (event.key === 'Escape' || event.key === 'Delete') clear()
    else if (dx === 0 && dy === 0) return
    event.preventDefault()
    current.keys = true
    current.x = Math.max(0.05, Math.min(0.95, current.x + dx * PRESS))
    current.y = Math.max(0.05, Math.min(0.95, current.y + dy * PRESS))
    if (current.down && event.key !== ' ') extend({ x: current.x, y: current.y }, false)
    else draw()
  }

  const names = CLASSES[settings.data]
  const best = outputs ? outputs.indexOf(Math.max(...outputs)) : -1
  const heard =
    best >= 0 ? `It looks like ${digit ? 'a ' : 'a '}${names[best]}: ${percent((outputs as number[])[best])}.` : ''
  return (
    <section class="card draw" aria-labelledby="draw-title">
      <div class="head">
        <h2 id="draw-title">{digit ? 'Draw a digit' : 'Draw a shape'}</h2>
        <p class="buttons">
          <button type="button" onClick={clear}>
            Clear
          </button>
        </p>
      </div>
      <div class="desk">
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a canvas to draw on is both */}
        <canvas
          ref={canvas}
          width={SIDE}
          height={SIDE}
          tabIndex={0}
          role="application"
          aria-label={`Pad for ${digit ? 'a digit' : 'a shape'}`}
          aria-describedby="pad-help"
          onKeyDown={press}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            pen.current.keys = false
            extend(to(event), true)
          }}
          onPointerMove={(event) => {
            if (event.buttons > 0) extend(to(event), false)
          }}
        />
        <ul class="chances" aria-label="Classes">
          {names.map((name, i) => (
            <li key={name} class={i === best ? 'best' : ''}>
              <span>{name}</span>
              <span class="chance" aria-hidden="true">
                <i style={{ width: `${100 * (outputs?.[i] ?? 0)}%` }} />
              </span>
              <span class="value">{outputs ? percent(outputs[i]) : ''}</span>
            </li>
          ))}
        </ul>
      </div>
      <p class="soft small" id="pad-help">
        <canvas ref={seen} class="seen" width={8} height={8} aria-hidden="true" />{' '}
        {ready
          ? 'The model sees this. By keys: arrows move the pen, the space bar puts it down and lifts it, Delete clears.'
          : 'Train or load a model, and it says what it sees. By keys: arrows move the pen, the space bar puts it down.'}
      </p>
      <p class="hidden" role="status">
        {heard}
      </p>
    </section>
  )
}

function softmax(logits: Float64Array): number[] {
  const most = Math.max(...logits)
  const powers = [...logits].map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

/** What the model sees, pixel for pixel. */
function show(canvas: HTMLCanvasElement | null, pixels: Float32Array | null, side: number): void {
  const context = canvas?.getContext('2d')
  if (!canvas || !context) return
  canvas.width = side
  canvas.height = side
  if (!pixels) return
  const plane = side * side
  const colours = pixels.length / plane
  const image = context.createImageData(side, side)
  for (let at = 0; at < plane; at++) {
    for (let c = 0; c < 3; c++) image.data[4 * at + c] = 255 * pixels[(c % colours) * plane + at]
    image.data[4 * at + 3] = 255
  }
  context.putImageData(image, 0, 0)
}
