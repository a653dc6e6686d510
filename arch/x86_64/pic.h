/*
 * pic.h: the two 8259A interrupt controllers.
 */
#ifndef ARCH_X86_64_PIC_H
#define ARCH_X86_64_PIC_H

#define IRQ_TIMER    0
#define IRQ_KEYBOARD 1
#define IRQ_COM1     4

/* Moves the lines to VECTOR_IRQ0 and masks all. */
void pic_init(void);

/* Calls handler for a line from now on, interrupts off, and unmasks it. */
void irq_enable(unsigned irq, void (*handler)(void));

/* A line's interrupt has come. */
void irq_dispatch(unsigned irq);

#endif
