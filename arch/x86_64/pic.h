/*
 * pic.h: the two 8259A interrupt controllers (PIC) and the handlers of their 16 lines.
 */
#ifndef ARCH_X86_64_PIC_H
#define ARCH_X86_64_PIC_H

#define IRQ_TIMER    0
#define IRQ_KEYBOARD 1
#define IRQ_COM1     4

/* Moves the 16 lines to the vectors from VECTOR_IRQ0 on, and masks them all. */
void pic_init(void);

/* Sets the handler of line irq (0 to 7) and unmasks the line. The handler runs with interrupts off.
 */
void irq_enable(unsigned irq, void (*handler)(void));

/* Handles an interrupt of line irq: calls its handler and acknowledges the interrupt. Ignores
   spurious interrupts. */
void irq_dispatch(unsigned irq);

#endif
