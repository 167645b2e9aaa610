/*
 * What every guest of Irori has: the PCI root with its windows and interrupt routing, the legacy
 * devices, the sleep state of power-off. Compiled into dsdt.aml.h, which is checked in, by
 * vmm/acpi/dsdt.py; a unit test compares the two where iasl is installed.
 *
 * What differs from guest to guest, the names MECM to MW6E and the _STA of KBD, MOU and FWCF, acpi.c
 * writes into the compiled table: the header says where. So all their constants have a fixed length.
 * Source: ACPI 6.4, sections 6 and 19.
 */
DefinitionBlock ("", "DSDT", 2, "IRORI", "IRORIPC", 1)
{
	Name (MECM, 0x10000001) // base of ECAM, 0: off
	Name (MW1E, 0x10000001) // the windows for BARs: below ECAM, from 2 GiB (RAM ends there)
	Name (MW2B, 0x10000001) // above ECAM
	Name (MW2E, 0x10000001) // ends are the last bytes
	Name (MW6B, 0x10000001) // above RAM: base and length in MiB, since SeaBIOS's parser
	Name (MW6L, 0x10000001) // knows no longer numbers

	Name (\_S5, Package (4) { 0, 0, 0, 0 }) // sleep type 0, as pm.c wants it

	Name (\PICM, 0) // 0: the guest uses the PIC, 1: the I/O APIC
	Method (\_PIC, 1)
	{
		PICM = Arg0
	}

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_SEG, 0)
			Name (_BBN, 0)

			Method (_CRS, 0, Serialized)
			{
				Name (RES, ResourceTemplate ()
				{
					WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
						0, 0, 0, 0, 1)
					IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
					WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
						EntireRange, 0, 0x0000, 0x0cf7, 0, 0x0cf8)
					WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
						EntireRange, 0, 0x0d00, 0xffff, 0, 0xf300)
					DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
						Cacheable, ReadWrite, 0, 0x000a0000, 0x000bffff, 0,
						0x00020000)
					DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
						NonCacheable, ReadWrite, 0, 0x80000000, 0x80000fff, 0,
						0x00001000, , , W1)
					DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
						NonCacheable, ReadWrite, 0, 0xfeb00000, 0xfebfffff, 0,
						0x00100000, , , W2)
					QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
						Cacheable, ReadWrite, 0, 0x100000000, 0x100000fff, 0,
						0x1000, , , W6)
				})

				CreateDWordField (RES, W1._MAX, W1E)
				CreateDWordField (RES, W1._LEN, W1L)
				CreateDWordField (RES, W2._MIN, W2B)
				CreateDWordField (RES, W2._MAX, W2E)
				CreateDWordField (RES, W2._LEN, W2L)
				CreateQWordField (RES, W6._MIN, W6B)
				CreateQWordField (RES, W6._MAX, W6E)
				CreateQWordField (RES, W6._LEN, W6L)
				W1E = \MW1E
				W1L = \MW1E - 0x7fffffff
				W2B = \MW2B
				W2E = \MW2E
				W2L = (\MW2E - \MW2B) + 1
				W6B = \MW6B << 20
				W6L = \MW6L << 20
				W6E = ((\MW6B + \MW6L) << 20) - 1
				Return (RES)
			}

			/* Slots 0..24: pins in turn on PIRQE..H; 25..31: pin A on PIRQA and so on. */
			Method (PRTS, 1, Serialized)
			{
				Local0 = Package (128) {}
				Local1 = 0
				While (Local1 < 128)
				{
					Local2 = Local1 >> 2
					Local3 = Local1 & 3
					Local4 = Local3
					If (Local2 < 25)
					{
						Local4 = ((Local2 + Local3) & 3) + 4
					}
					Local5 = Package (4) { 0, 0, 0, 0 }
					If (Arg0)
					{
						Local5 [3] = 16 + Local4
					}
					Else
					{
						If (Local4 == 0) { Local5 = Package (4) { 0, 0, LNKA, 0 } }
						If (Local4 == 1) { Local5 = Package (4) { 0, 0, LNKB, 0 } }
						If (Local4 == 2) { Local5 = Package (4) { 0, 0, LNKC, 0 } }
						If (Local4 == 3) { Local5 = Package (4) { 0, 0, LNKD, 0 } }
						If (Local4 == 4) { Local5 = Package (4) { 0, 0, LNKE, 0 } }
						If (Local4 == 5) { Local5 = Package (4) { 0, 0, LNKF, 0 } }
						If (Local4 == 6) { Local5 = Package (4) { 0, 0, LNKG, 0 } }
						If (Local4 == 7) { Local5 = Package (4) { 0, 0, LNKH, 0 } }
					}
					Local5 [0] = (Local2 << 16) | 0xffff
					Local5 [1] = Local3
					Local0 [Local1] = Local5
					Local1++
				}
				Return (Local0)
			}

			Method (_PRT, 0)
			{
				Return (PRTS (PICM))
			}

			Device (ISA)
			{
				Name (_ADR, 0x001f0000)

				OperationRegion (PIRQ, PCI_Config, 0x60, 0x0c)
				Field (PIRQ, ByteAcc, NoLock, Preserve)
				{
					PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8,
					Offset (8),
					PRQE, 8, PRQF, 8, PRQG, 8, PRQH, 8
				}

				Device (RTC)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0070, 0x0070, 1, 2)
						IRQNoFlags () { 8 }
					})
				}

				Device (COM1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x03f8, 0x03f8, 1, 8)
						IRQNoFlags () { 4 }
					})
				}

				Device (KBD)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_STA, 0x0f)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0060, 0x0060, 1, 1)
						IO (Decode16, 0x0064, 0x0064, 1, 1)
						IRQNoFlags () { 1 }
					})
				}

				Device (MOU)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_STA, 0x0f)
					Name (_CRS, ResourceTemplate ()
					{
						IRQNoFlags () { 12 }
					})
				}
			}
		}

		/* One link for each PIRQ; for guests that use the PIC. */
		Method (LSTA, 1)
		{
			If (Arg0 & 0x80) { Return (0x09) }
			Return (0x0b)
		}

		Method (LCRS, 1, Serialized)
		{
			Name (RES, ResourceTemplate ()
			{
				Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , IRQ) { 0 }
			})
			CreateDWordField (RES, IRQ._INT, INTN)
			If (!(Arg0 & 0x80))
			{
				INTN = Arg0 & 0x0f
			}
			Return (RES)
		}

		Name (LPRS, ResourceTemplate ()
		{
			Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
		})

		Device (LNKA)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 1)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQA)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQA)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQA = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQA = INTN
			}
		}

		Device (LNKB)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 2)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQB)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQB)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQB = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQB = INTN
			}
		}

		Device (LNKC)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 3)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQC)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQC)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQC = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQC = INTN
			}
		}

		Device (LNKD)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 4)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQD)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQD)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQD = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQD = INTN
			}
		}

		Device (LNKE)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 5)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQE)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQE)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQE = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQE = INTN
			}
		}

		Device (LNKF)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 6)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQF)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQF)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQF = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQF = INTN
			}
		}

		Device (LNKG)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 7)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQG)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQG)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQG = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQG = INTN
			}
		}

		Device (LNKH)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 8)
			Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQH)) }
			Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQH)) }
			Method (_PRS) { Return (LPRS) }
			Method (_DIS) { \_SB.PCI0.ISA.PRQH = 0x80 }
			Method (_SRS, 1)
			{
				CreateDWordField (Arg0, 5, INTN)
				\_SB.PCI0.ISA.PRQH = INTN
			}
		}

		/* Ports and memory of the board: not for PCI. */
		Device (BRD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Method (_CRS, 0, Serialized)
			{
				Name (RES, ResourceTemplate ()
				{
					IO (Decode16, 0x0600, 0x0600, 1, 0x80)
					IO (Decode16, 0x0061, 0x0061, 1, 1)
					IO (Decode16, 0x0080, 0x0080, 1, 1)
					IO (Decode16, 0x0092, 0x0092, 1, 1)
					Memory32Fixed (ReadWrite, 0xe0000000, 0x00100000, ECAM)
				})
				CreateDWordField (RES, ECAM._BAS, BASE)
				BASE = \MECM
				Return (RES)
			}
		}

		Device (FWCF)
		{
			Name (_HID, "QEMU0002")
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0510, 0x0510, 1, 0x0c)
			})
		}
	}

	/* Handlers of general-purpose events are in the SSDTs of those whose events they are. */
	Scope (\_GPE)
	{
		Name (_HID, "ACPI0006")
	}
}
