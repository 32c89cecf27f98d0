import { describe, expect, it } from 'vitest'
import { isDelivered, type Notification, tells } from './notification.ts'

describe('a notification', () => {
  const notification: Notification = {
    at: 0,
    kind: 'slack',
    type: 'slack',
    receiver: 'a',
    status: 'firing',
    alerts: [],
    text: '',
    raw: '',
    problems: [],
    answered: '200',
  }

  it.each([
    ['[FIRING:1] Disk of a', true],
    ['Disk: full', true],
    ['"Disk"', true],
    ['DiskFull', false],
    ['NoDisk', false],
    ['Disk-full', false],
    ['No-Disk', false],
    ['Disk_full', false],
    ['disk', false],
  ])('%j is about the alert Disk: %s', (text, about) => {
    expect(tells({ ...notification, text }, 'Disk')).toBe(about)
  })

  it('is about a name of any characters', () => {
    expect(tells({ ...notification, text: 'is a.b (c)* on fire' }, 'a.b (c)*')).toBe(true)
    expect(tells({ ...notification, text: 'is axb (c)* on fire' }, 'a.b (c)*')).toBe(false)
  })

  it('goes by labels where it has them', () => {
    const alerts = [{ status: 'firing' as const, labels: { alertname: 'Other' }, annotations: {} }]
    expect(tells({ ...notification, text: 'Disk', alerts }, 'Disk')).toBe(false)
    expect(tells({ ...notification, text: '', alerts }, 'Other')).toBe(true)
  })

  it.each([
    ['200', true],
    ['250', true],
    ['429', false],
    ['nothing', false],
  ])('answered %s is delivered: %s', (answered, delivered) => {
    expect(isDelivered({ ...notification, answered })).toBe(delivered)
  })
})
